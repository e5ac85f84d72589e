"""What a release brings along of others' making: distributions, their licences and their known vulnerabilities."""
