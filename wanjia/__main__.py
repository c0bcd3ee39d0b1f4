"""python -m wanjia"""

from wanjia.cli import main

main()
