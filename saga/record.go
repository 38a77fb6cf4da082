package saga

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pabal-dev/pabal/event"
)

// ErrQuery is wrapped where a Query cannot be answered as it is.
var ErrQuery = errors.New("wrong query")

// Statuses are all there are, in the order of a saga's life.
func Statuses() []Status {
	return []Status{Running, Compensating, NeedsReview, Completed, Compensated, Resolved}
}

// CheckID says whether a saga can have that name or id: 1 to event.MaxIDLength bytes
// of UTF-8 without NUL.
func CheckID(what, value string) error {
	if value == "" {
		return fmt.Errorf("saga: the %s is missing", what)
	}
	return checkText(what, value)
}

func checkText(what, value string) error {
	switch {
	case len(value) > event.MaxIDLength:
		return fmt.Errorf("saga: the %s %.40q… has %d bytes, at most %d are allowed", what, value, len(value), event.MaxIDLength)
	case !utf8.ValidString(value) || strings.Contains(value, "\x00"):
		return fmt.Errorf("saga: the %s %q is not UTF-8 or has a NUL character", what, value)
	}
	return nil
}

// Validate says what keeps a record from being stored.
func (r *Record) Validate() error {
	if err := errors.Join(CheckID("name", r.Name), CheckID("id", r.ID)); err != nil {
		return err
	}
	for _, err := range []error{
		checkText("correlation id", r.CorrelationID),
		checkNumbers(r),
		checkJSON("state", r.State),
		checkJSON("progress", r.Progress),
		checkTime("start", r.Started, true),
		checkTime("change", r.Changed, true),
		checkTime("end", r.Ended, r.Status.Ended()),
		checkTime("next timer", r.Due, false),
	} {
		if err != nil {
			return fmt.Errorf("record of saga %s/%s: %w", r.Name, r.ID, err)
		}
	}
	return nil
}

func checkNumbers(r *Record) error {
	switch {
	case r.Version < 1 || r.Revision < 1:
		return fmt.Errorf("saga: version %d and revision %d must be 1 or more", r.Version, r.Revision)
	case !slices.Contains(Statuses(), r.Status):
		return fmt.Errorf("saga: there is no status %q", r.Status)
	case !r.Status.Ended() && !r.Ended.IsZero():
		return fmt.Errorf("saga: it is %s and has an end", r.Status)
	}
	return nil
}

func checkJSON(what string, text json.RawMessage) error {
	if !utf8.Valid(text) || !json.Valid(text) {
		return fmt.Errorf("saga: the %s is not JSON in UTF-8", what)
	}
	return nil
}

// checkTime: databases differ in what they take beyond four digits of a year.
func checkTime(what string, t time.Time, required bool) error {
	switch {
	case t.IsZero() && required:
		return fmt.Errorf("saga: the time of its %s is missing", what)
	case !t.IsZero() && (t.Year() < 1 || t.Year() > 9999):
		return fmt.Errorf("saga: the time of its %s, %s, is not within the years 1 to 9999", what, t)
	}
	return nil
}

// WithDefaults checks the query and fills in its limit.
func (q Query) WithDefaults() (Query, error) {
	if q.Limit == 0 {
		q.Limit = 100
	}
	if q.Limit < 1 || q.Limit > MaxInspect {
		return q, fmt.Errorf("%w: limit %d, 1 to %d are allowed", ErrQuery, q.Limit, MaxInspect)
	}
	for _, s := range q.Status {
		if !slices.Contains(Statuses(), s) {
			return q, fmt.Errorf("%w: there is no status %q", ErrQuery, s)
		}
	}
	return q, nil
}

// Impossible says that no stored saga can match, whatever there is.
func (q Query) Impossible() bool {
	texts := []string{q.Name, q.ID, q.CorrelationID}
	if q.After != nil {
		texts = append(texts, q.After.Name, q.After.ID)
	}
	return slices.ContainsFunc(texts, func(s string) bool { return checkText("text", s) != nil })
}
