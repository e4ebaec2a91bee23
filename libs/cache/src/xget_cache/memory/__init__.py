"""In this process. After a crash everything is forgotten, as the ports allow; other processes see nothing of it."""
