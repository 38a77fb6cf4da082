// Package library is a system of four services that lend books: rental, book,
// member and bestbook. Each can run as a program of its own (see cmd) or beside the
// others in one process.
package library

import (
	"github.com/pabal-dev/pabal/examples/library/bestbook"
	"github.com/pabal-dev/pabal/examples/library/book"
	"github.com/pabal-dev/pabal/examples/library/member"
	"github.com/pabal-dev/pabal/examples/library/rental"
	"github.com/pabal-dev/pabal/examples/service"
)

// System is the four services.
func System() service.System {
	return service.System{Name: "library", Definitions: []service.Definition{
		rental.Definition(), book.Definition(), member.Definition(), bestbook.Definition(),
	}}
}
