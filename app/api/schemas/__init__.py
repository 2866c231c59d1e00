"""The specification of what goes over the wire, in both directions; `make contract` writes it in TypeScript.

Axis names, tensor names and words are DESIGN.md's. JSON has no infinity and no not-a-number: such values are
`null`, and the answer counts them. Each module holds the shapes of one idea, and all of them are found here:

    schemas.RunAnswer
"""

from .asking import *
from .base import *
from .models import *
from .numbers import *
from .runs import *
from .telling import *
