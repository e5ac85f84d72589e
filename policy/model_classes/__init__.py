"""Which classes of the locked libraries a model may be made of; `python -m policy.model_classes` writes the list."""
