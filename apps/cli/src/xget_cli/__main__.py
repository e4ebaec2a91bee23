"""`python -m xget_cli`: the `xget` command by the interpreter that runs."""

from xget_cli.main import main

main()
