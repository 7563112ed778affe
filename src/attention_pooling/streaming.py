"""The dense estimate, one block of queries after another: any kernel, any number of coordinates."""
