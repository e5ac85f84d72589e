"""What a stack will cost a month, from its preview and a dated table of prices."""
