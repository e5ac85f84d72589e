"""Rights against their use: what each role is granted and has done, and why the rest is granted all the same."""
