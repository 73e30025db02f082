"""Prints a CSV of three classes that cannot quite be told apart, with a hostile heading."""
import random

random.seed(1)
print("a,b,c,d,e,<b onclick='x()'>")
for _ in range(120):
    label = random.randrange(3)
    values = [random.gauss(label if i < 2 else 0, 1) for i in range(5)]
    print(",".join(f"{v:.4f}" for v in values), label, sep=",")
