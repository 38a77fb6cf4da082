package simulation_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/examples/library"
	"github.com/pabal-dev/pabal/internal/invariants"
	"github.com/pabal-dev/pabal/internal/simulation"
	"github.com/pabal-dev/pabal/storage"
)

// desk has people ask the rental service for books. Most may be refused, where an
// earlier request is still under way.
type desk struct {
	*simulation.Client
	books []int64
}

func openDesk(c *simulation.Client) desk {
	for _, id := range []string{"jenny", "tom"} {
		c.Call("POST", "member", "/members", fmt.Sprintf(`{"id":%q,"name":"제니"}`, id))
	}
	const book = `{"title":"책"}`
	return desk{c, []int64{c.Must(201, "POST", "book", "/books", book).Int("no"), c.Must(201, "POST", "book", "/books", book).Int("no"), 99}}
}

func (d desk) ask(what, id string, book int, more string) {
	d.Call("POST", "rental", what, fmt.Sprintf(`{"idName":{"id":%q,"name":"제니"},"item":{"no":%d,"title":"책"}%s}`, id, d.books[book], more))
}

// rentAndReturn has two members want the same books, one of which does not exist.
func rentAndReturn(c *simulation.Client) {
	d := openDesk(c)
	d.ask("/rent", "jenny", 0, "")
	d.ask("/rent", "tom", 0, "")
	d.ask("/rent", "tom", 2, "")
	d.ask("/return", "jenny", 0, "")
	c.Settle()
	d.ask("/rent", "tom", 0, "")
}

// returnLate has a member keep books for too long, and pay for it with points.
func returnLate(c *simulation.Client) {
	d := openDesk(c)
	d.ask("/rent", "tom", 0, "")
	d.ask("/rent", "jenny", 1, "")
	c.Settle()
	d.ask("/overdue", "tom", 0, `,"daysLate":2`)
	d.ask("/return", "tom", 0, "")
	c.Settle()
	d.Call("POST", "rental", "/clear-overdue", `{"idName":{"id":"tom","name":"톰"},"point":20}`)
	c.Pass(15 * 24 * time.Hour) // jenny's is due meanwhile
	d.ask("/return", "jenny", 1, "")
}

func checkLibrary(ctx context.Context, databases map[string]storage.DB) error {
	dbs := invariants.LibraryDatabases{
		Rental: databases["rental"], Book: databases["book"], Member: databases["member"], BestBook: databases["bestbook"],
	}
	results, err := invariants.CheckLibrary(ctx, dbs, nothingAccepted)
	return verdict(results, err)
}

func TestLibrary(t *testing.T) {
	explore(t, simulation.Scenario{System: library.System(), Script: rentAndReturn, Check: checkLibrary})
}

func TestLibraryLate(t *testing.T) {
	explore(t, simulation.Scenario{System: library.System(), Script: returnLate, Check: checkLibrary})
}
