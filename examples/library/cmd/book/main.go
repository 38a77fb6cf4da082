// Command book is the book service; see --help.
package main

import (
	"os"

	"github.com/pabal-dev/pabal/examples/library/book"
	"github.com/pabal-dev/pabal/examples/service"
)

func main() { os.Exit(service.Main(book.Definition())) }
