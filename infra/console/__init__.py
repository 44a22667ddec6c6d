"""The console's libraries: npm's lock, and what copies them to the console."""
