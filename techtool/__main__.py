"""``python -m techtool``."""

from techtool.cli.main import main

if __name__ == "__main__":
    main()
