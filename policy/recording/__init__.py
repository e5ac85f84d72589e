"""What a program of Pulumi's registers, without an engine and without a cloud."""
