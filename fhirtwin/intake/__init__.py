"""Stage 1: what comes in becomes resources, each checked and known to be this patient's.

Nothing here stores, maps or sends; nothing that cannot be shown to be this patient's gets past this stage.
"""
