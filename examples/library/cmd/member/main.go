// Command member is the member service; see --help.
package main

import (
	"os"

	"github.com/pabal-dev/pabal/examples/library/member"
	"github.com/pabal-dev/pabal/examples/service"
)

func main() { os.Exit(service.Main(member.Definition())) }
