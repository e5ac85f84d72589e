"""What Terraform itself does to values between configuration, state and provider.

Source: hashicorp/terraform, internal/plans/objchange (ProposedNew, NormalizeObjectFromLegacySDK).
"""

from __future__ import annotations

from rehearsal.engine.terraform.schema import Block, NestedBlock, Nesting, empty_collection
from rehearsal.engine.terraform.values import UNKNOWN, Value, equal


def proposed_new(block: Block, prior: Value, config: Value) -> Value:
    """Return `config` with what it leaves to the provider taken from `prior`; None for no resource."""
    if config is None or config is UNKNOWN:
        return prior
    before = block.empty() if prior is None else prior
    proposed: dict[str, Value] = {}
    for name, attribute in block.attributes.items():
        configured = config.get(name)
        proposed[name] = before.get(name) if attribute.computed and configured is None else configured
    for name, nested in block.blocks.items():
        proposed[name] = _proposed_blocks(nested, before.get(name), config.get(name))
    return proposed


def _proposed_blocks(nested: NestedBlock, prior: Value, config: Value) -> Value:
    if config is UNKNOWN:
        return config
    if not config:
        if nested.nesting is Nesting.GROUP:
            return proposed_new(nested.block, prior, nested.block.empty())
        return empty_collection(nested)
    match nested.nesting:
        case Nesting.LIST:
            before = list(prior or ())
            before += [None] * (len(config) - len(before))
            return [
                proposed_new(nested.block, old, new) if old else new for old, new in zip(before, config, strict=False)
            ]
        case Nesting.SET:
            return _proposed_set(nested.block, list(prior or ()), config)
        case Nesting.MAP:
            before_by_key = prior or {}
            return {key: proposed_new(nested.block, before_by_key.get(key), new) for key, new in config.items()}
        case _:
            return proposed_new(nested.block, prior, config)


def _proposed_set(block: Block, prior: list[Value], config: list[Value]) -> list[Value]:
    left = list(prior)
    proposed = []
    for new in config:
        match = next((index for index, old in enumerate(left) if _came_from(block, old, new)), None)
        proposed.append(proposed_new(block, left.pop(match) if match is not None else None, new))
    return proposed


def _came_from(block: Block, prior: Value, config: Value) -> bool:
    """Tell whether `config` could have become `prior` with nothing but computed attributes filled in."""
    for name, attribute in block.attributes.items():
        configured = config.get(name)
        if configured is None and attribute.computed:
            continue
        if not equal(prior.get(name), configured, attribute.type):
            return False
    for name, nested in block.blocks.items():
        old, new = prior.get(name), config.get(name)
        if nested.nesting in (Nesting.LIST, Nesting.SET) and isinstance(old, list) and isinstance(new, list):
            if len(old) != len(new) or not all(map(lambda a, b: _came_from(nested.block, a, b), old, new)):
                return False
        elif not equal(old, new, nested.type):
            return False
    return True


def normalized(block: Block, value: Value) -> Value:
    """Return a block's value with the null collections that older providers answer with made empty ones."""
    if value is None or value is UNKNOWN:
        return value
    result = dict(value)
    for name, nested in block.blocks.items():
        result[name] = _normalized_blocks(nested, value.get(name))
    return result


def _normalized_blocks(nested: NestedBlock, value: Value) -> Value:
    if value is None:
        return empty_collection(nested)
    if value is UNKNOWN:
        return value
    match nested.nesting:
        case Nesting.LIST | Nesting.SET:
            return [normalized(nested.block, item) for item in value]
        case Nesting.MAP:
            return {key: normalized(nested.block, item) for key, item in value.items()}
        case _:
            return normalized(nested.block, value)
