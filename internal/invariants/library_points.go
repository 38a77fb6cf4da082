package invariants

import (
	"context"
	"maps"

	"github.com/pabal-dev/pabal/storage"
)

// given is what a business transaction gives a member: what it should by what the rental
// service says of it, or what the member service booked. 0 is nothing, below 0 is taken.
type given struct {
	what   string // its id and kind
	member string
	points int64
}

func (g given) key() string { return g.what }

// A rent and a return give 10 points once, one that was undone gives none; a late fee
// takes what was paid.
const (
	earnedRows = `
SELECT what, member_id, points FROM (
    SELECT id || ' RENT' AS what, member_id, CASE WHEN status IN ('RENTED', 'RETURNED') THEN 10 ELSE 0 END AS points FROM rentals
    UNION ALL
    SELECT id || ' RETURN', member_id, CASE WHEN status = 'DONE' THEN 10 ELSE 0 END FROM returns
    UNION ALL
    SELECT id || ' OVERDUE', member_id, CASE WHEN status = 'DONE' THEN -point ELSE 0 END FROM clearings
) AS earned`
	bookedRows = `
SELECT what, member_id, points FROM (
    SELECT id || ' ' || kind AS what, member_id, CASE WHEN status = 'DONE' THEN points ELSE 0 END AS points FROM point_entries
) AS booked`
)

func readGiven(r storage.Row, _ *given) (g given, more bool, err error) {
	err = r.Scan(&g.what, &g.member, &g.points)
	return g, false, err
}

// points: each business transaction gave what the rental service says was done, and what
// a member has is the sum of that.
func (c libraryChecker) points(ctx context.Context) error {
	sums, transactions := map[string]int64{}, 0
	err := c.mergePoints(ctx, func(earned, booked *given) error {
		if earned != nil {
			transactions++
		}
		if booked != nil {
			sums[booked.member] += booked.points
		}
		c.compare(earned, booked)
		return nil
	})
	if err != nil {
		return err
	}
	members, points, err := c.balances(ctx, sums)
	c.summary(LibraryPoints, "%d members have %d points = 10 per rent and return - fees paid, in %d transactions, each for itself", members, points, transactions)
	return err
}

// compare looks at one transaction; where one of the two services does not know it, it
// may have given nothing.
func (c libraryChecker) compare(earned, booked *given) {
	switch {
	case earned == nil && booked.points != 0:
		c.violated(LibraryPoints, "%s gave %s %d points, and there is no such transaction", booked.what, booked.member, booked.points)
	case booked == nil && earned != nil && earned.points != 0:
		c.violated(LibraryPoints, "%s earned %s %d points, and gave none", earned.what, earned.member, earned.points)
	case earned == nil || booked == nil:
	case earned.points != booked.points:
		c.violated(LibraryPoints, "%s earned %s %d points, and gave %d", earned.what, earned.member, earned.points, booked.points)
	case earned.points != 0 && earned.member != booked.member:
		c.violated(LibraryPoints, "%s earned %s %d points, and gave them %s", earned.what, earned.member, earned.points, booked.member)
	}
}

// balances compares what members have with the sums of what they were given.
func (c libraryChecker) balances(ctx context.Context, sums map[string]int64) (members, points int64, err error) {
	err = each(ctx, c.Member, `SELECT id, points FROM members`, nil, func(r storage.Row) error {
		var id string
		var has int64
		if err := r.Scan(&id, &has); err != nil {
			return err
		}
		members, points = members+1, points+has
		if has != sums[id] || has < 0 {
			c.violated(LibraryPoints, "%s has %d points and was given %d", id, has, sums[id])
		}
		delete(sums, id)
		return nil
	})
	maps.DeleteFunc(sums, func(_ string, n int64) bool { return n == 0 })
	for id, n := range sums {
		c.violated(LibraryPoints, "%s is no member and was given %d points", id, n)
	}
	return members, points, err
}

// mergePoints walks through both databases at once, in the order of the ids.
func (c libraryChecker) mergePoints(ctx context.Context, fn func(earned, booked *given) error) error {
	return c.Rental.View(ctx, func(rq storage.Querier) error {
		return c.Member.View(ctx, func(mq storage.Querier) error {
			earned, err := openStream(ctx, rq, sorted(earnedRows, "what", c.Postgres), readGiven)
			if err != nil {
				return err
			}
			defer earned.close()
			booked, err := openStream(ctx, mq, sorted(bookedRows, "what", c.Postgres), readGiven)
			if err != nil {
				return err
			}
			defer booked.close()
			return merge(earned, booked, fn)
		})
	})
}
