package invariants

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/storage"
)

// tableOf says where the rental service keeps what it accepted: the key is what was
// asked for.
var tableOf = map[string]string{"rent": "rentals", "return": "returns", "clear-overdue": "clearings"}

// accepted: every transaction that a request was answered with is there.
func (c libraryChecker) accepted(ctx context.Context, accepted Accepted) error {
	counts := map[string]int64{}
	err := accepted(500, func(requests, ids []string) error {
		of := map[string][]string{}
		for i, request := range requests {
			counts[request]++
			of[request] = append(of[request], ids[i])
		}
		for request, ids := range of {
			if err := c.allThere(ctx, request, ids); err != nil {
				return err
			}
		}
		return nil
	})
	c.summary(LibraryAccepted, "%d rents, %d returns and %d late fees accepted, each has its transaction",
		counts["rent"], counts["return"], counts["clear-overdue"])
	return err
}

func (c libraryChecker) allThere(ctx context.Context, request string, ids []string) error {
	table, ok := tableOf[request]
	if !ok {
		return fmt.Errorf("nobody can ask for %q", request)
	}
	there := map[string]bool{}
	places, args := placeholders(ids)
	err := each(ctx, c.Rental, `SELECT id FROM `+table+` WHERE id IN (`+places+`)`, args, func(r storage.Row) error {
		var id string
		err := r.Scan(&id)
		there[id] = true
		return err
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !there[id] {
			c.violated(LibraryAccepted, "%s %s was accepted and is gone", request, id)
		}
	}
	return nil
}
