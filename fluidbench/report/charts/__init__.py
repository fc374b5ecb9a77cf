"""Charts as SVG that lies in the page: no script, no font and no file of its own."""
