"""`xget doctor`: what each concern runs on, what is wrong, and how to mend it."""
