from pulumi.runtime.config import CONFIG

from stacks.program import provision

provision(CONFIG.get())
