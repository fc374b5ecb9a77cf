"""What the tests share: the program as a process, records made by hand, and stores that misbehave."""
