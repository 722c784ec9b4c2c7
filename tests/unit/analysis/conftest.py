from hypothesis import settings

# A busy machine is no failure: these tests state what is right, the benchmarks how fast.
settings.register_profile("analysis", deadline=None)
settings.load_profile("analysis")
