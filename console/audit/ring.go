package audit

import (
	"fmt"
	"strconv"

	"github.com/pabal-dev/pabal/console/api"
)

// ring keeps the latest entries.
type ring struct {
	most    int
	entries []api.AuditEntry
	added   int64 // entry number i is entries[i%most]
}

func (r *ring) add(e api.AuditEntry) {
	if len(r.entries) < r.most {
		r.entries = append(r.entries, e)
	} else {
		r.entries[r.added%int64(r.most)] = e
	}
	r.added++
}

// page goes back from the newest, or from the number in the cursor.
func (r *ring) page(q api.PageQuery) (api.Page[api.AuditEntry], error) {
	page := api.Page[api.AuditEntry]{Items: []api.AuditEntry{}, Total: -1}
	if q.Search == "" {
		page.Total = int64(len(r.entries))
	}
	before := r.added
	if q.Cursor != "" {
		n, err := strconv.ParseInt(q.Cursor, 10, 64)
		if err != nil || n < 0 {
			return page, fmt.Errorf("%w: cursor %q is not one of this list", api.ErrInvalid, clip(q.Cursor, 64))
		}
		before = min(n, before)
	}
	oldest := r.added - int64(len(r.entries))
	for i := before - 1; i >= oldest; i-- {
		if len(page.Items) == q.Limit {
			page.Next = strconv.FormatInt(i+1, 10)
			break
		}
		if e := r.entries[i%int64(r.most)]; matches(e, q.Search) {
			page.Items = append(page.Items, e)
		}
	}
	return page, nil
}
