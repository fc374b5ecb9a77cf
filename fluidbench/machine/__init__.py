"""What this machine has, allows and is doing."""
