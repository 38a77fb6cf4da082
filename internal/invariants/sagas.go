package invariants

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/storage"
)

// openSaga selects those that have not ended.
const openSaga = `status IN ('RUNNING', 'COMPENSATING', 'NEEDS_REVIEW')`

// openSagas finds those of a service that have not ended, but for those that may.
func (f findings) openSagas(ctx context.Context, name string, db Viewer, may func(saga, id string) bool) error {
	return each(ctx, db, `SELECT name, id, status, reason FROM pabal_saga WHERE `+openSaga, nil, func(r storage.Row) error {
		var saga, id, status, reason string
		if err := r.Scan(&saga, &id, &status, &reason); err != nil || may != nil && may(saga, id) {
			return err
		}
		f.violated(name, "saga %s/%s is %s: %s", saga, id, status, reason)
		return nil
	})
}

// placeholders are $1, $2, ... for values.
func placeholders[T any](values []T) (places string, args []any) {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = fmt.Sprintf("$%d", i+1)
		args = append(args, v)
	}
	return strings.Join(all, ", "), args
}

func days(in, out string) (from, to time.Time, err error) {
	if from, err = time.Parse(time.DateOnly, in); err == nil {
		to, err = time.Parse(time.DateOnly, out)
	}
	return from, to, err
}

// withNumber puts a number into a query that has it several times.
func withNumber(query, name string, n int64) string {
	return strings.ReplaceAll(query, name, strconv.FormatInt(n, 10))
}
