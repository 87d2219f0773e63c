"""What is made of two arrays, and of the numbers of a row, by code, as kernels of every device take them.

Only `fastcnn.ops` and operators ask for these: nothing else pays for compiling them.
"""

#: y = a / b, a to the power of b, the remainder of a / b with the sign of b, the largest integer not above a / b
QUOTIENT, POWER_OF, REMAINDER, WHOLE_QUOTIENT = range(4)

#: y = the largest, the smallest number of a row, and their product
LARGEST, SMALLEST, ROW_PRODUCT = range(3)
