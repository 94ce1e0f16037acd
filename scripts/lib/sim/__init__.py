"""scripts/sim: the search on simulated CPUs, by hand, and the proof that it finds planted bugs.

cli      the command line
mutants  plants bugs in copies of the core and lets the search find them
"""
