"""What an app takes aboard with one line of its own. Standard library and the app's own; nothing of labkit."""
