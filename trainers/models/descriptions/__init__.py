"""The families in words: one module per family, with the family's name, that loads no torch.

Each module has `describe(config, shape)`. The window calls it while torch may still be loading,
so neither these modules nor what they import may import torch. The networks themselves are in
`trainers.models`, whose modules do import it.
"""
