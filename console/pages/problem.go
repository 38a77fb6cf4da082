package pages

import (
	"context"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
)

// problem is an error as a notice within a page.
type problem struct{ Title, Detail string }

// problemOf says in plain words what an error of an engine means.
func problemOf(err error) *problem {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return &problem{"No answer in time", "Kafka or a service did not answer; the rest of this page is as of now. (" + err.Error() + ")"}
	case errors.Is(err, api.ErrUnavailable), errors.Is(err, admin.ErrUnavailable):
		return &problem{"Not available at the moment", err.Error()}
	case errors.Is(err, api.ErrNotFound), errors.Is(err, admin.ErrNotFound):
		return &problem{"Not found", err.Error()}
	case errors.Is(err, api.ErrInvalid), errors.Is(err, admin.ErrInvalid):
		return &problem{"That request makes no sense", err.Error()}
	case errors.Is(err, api.ErrConflict), errors.Is(err, admin.ErrConflict):
		return &problem{"Not as it stands", err.Error()}
	case errors.Is(err, api.ErrForbidden):
		return &problem{"Not for your role", err.Error()}
	}
	return &problem{"Something failed", err.Error()}
}

// fatal tells the errors that are about the subject of a page, such as a topic that
// does not exist, from those of a part that is away.
func fatal(err error) bool {
	for _, e := range []error{api.ErrNotFound, api.ErrInvalid, api.ErrForbidden} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func errorf(kind error, format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{kind}, args...)...)
}
