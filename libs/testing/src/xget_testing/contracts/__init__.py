"""One suite per port, subclassed by the tests of each adapter."""
