import sys

sys.exit("set SHOP_ENVIRONMENT first")
