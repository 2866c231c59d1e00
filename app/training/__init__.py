"""Training the bundled models: one module per task, one trainer for both.

`stories.py` and `sort.py` say what is learned and from which data; `trainer.py` does the learning.
"""

import os

# Read by OpenMP when torch is first imported. Without them its threads spin at every barrier, and anything
# else that runs on the machine makes training 4 to 10 times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
