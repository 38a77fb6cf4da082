package cluster

import (
	"fmt"
	"sort"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
)

// Limits of a page.
const (
	defaultLimit = 50
	maxLimit     = 500
)

func limitOf(asked int) (int, error) {
	switch {
	case asked == 0:
		return defaultLimit, nil
	case asked < 0 || asked > maxLimit:
		return 0, fmt.Errorf("%w: limit is %d, it goes from 1 to %d", api.ErrInvalid, asked, maxLimit)
	}
	return asked, nil
}

// page cuts a page out of sorted names: those that contain q.Search and come after
// q.Cursor, which is the last name of the page before; a name that went away since
// does not matter.
func page(names []string, q api.PageQuery) (api.Page[string], error) {
	limit, err := limitOf(q.Limit)
	if err != nil {
		return api.Page[string]{}, err
	}
	matching := names
	if q.Search != "" {
		search := strings.ToLower(q.Search)
		matching = nil
		for _, name := range names {
			if strings.Contains(strings.ToLower(name), search) {
				matching = append(matching, name)
			}
		}
	}
	begin := 0
	if q.Cursor != "" {
		begin = sort.Search(len(matching), func(i int) bool { return matching[i] > q.Cursor })
	}
	end := min(begin+limit, len(matching))
	out := api.Page[string]{Items: matching[begin:end], Total: int64(len(matching))}
	if end < len(matching) {
		out.Next = matching[end-1]
	}
	return out, nil
}
