"""Whether a request is allowed: `interlock.duties.evaluator` over the documents that this cloud stores."""
