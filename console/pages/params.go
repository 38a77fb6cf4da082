package pages

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
)

func param(r *http.Request, name string) string {
	return strings.TrimSpace(r.URL.Query().Get(name))
}

func pageQuery(r *http.Request) api.PageQuery {
	return api.PageQuery{Search: param(r, "search"), Cursor: param(r, "cursor"), Limit: 50}
}

// partitionParam is nil for all partitions.
func partitionParam(r *http.Request) (*int32, error) {
	text := param(r, "partition")
	if text == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return nil, errorf(api.ErrInvalid, "partition %q is no number of a partition", text)
	}
	p := int32(n)
	return &p, nil
}

// fromParam puts the two fields of a form, where to begin and at what, into one
// word of the API.
func fromParam(from, at string) (string, error) {
	switch from {
	case "offset":
		n, err := strconv.ParseInt(at, 10, 64)
		if err != nil || n < 0 {
			return "", errorf(api.ErrInvalid, "%q is no offset: give a number, 0 or more", at)
		}
		return fmt.Sprintf("offset:%d", n), nil
	case "time":
		t, err := timeParam(at)
		if err != nil {
			return "", err
		}
		return "time:" + t.Format(time.RFC3339Nano), nil
	}
	return from, nil
}

// timeParam reads RFC 3339, or what a browser's field for date and time sends,
// which is taken as UTC.
func timeParam(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999", "2006-01-02T15:04", "2006-01-02 15:04:05.999", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errorf(api.ErrInvalid, "%q is no time: give one such as 2026-01-31T12:00:00Z", text)
}

// splitFrom is fromParam's way back, for links that carry the API's word.
func splitFrom(from, at string) (string, string) {
	if kind, rest, ok := strings.Cut(from, ":"); ok && (kind == "offset" || kind == "time") {
		return kind, rest
	}
	return from, at
}

// placeText and placeParam carry a place in a link: partition/offset/topic.
func placeText(p inbox.Place) string { return fmt.Sprintf("%d/%d/%s", p.Partition, p.Offset, p.Topic) }

func placeParam(text string) (*inbox.Place, error) {
	if text == "" {
		return nil, nil
	}
	parts := strings.SplitN(text, "/", 3)
	if len(parts) == 3 {
		partition, err1 := strconv.ParseInt(parts[0], 10, 32)
		offset, err2 := strconv.ParseInt(parts[1], 10, 64)
		if err1 == nil && err2 == nil {
			return &inbox.Place{Topic: parts[2], Partition: int32(partition), Offset: offset}, nil
		}
	}
	return nil, errorf(api.ErrInvalid, "after=%q is no place in a page", text)
}

// localPath is where to go after the login: a path of this console, nothing else.
// Braces are escaped, for the page's script fills in names within them.
func localPath(base, next string) string {
	next = strings.NewReplacer("{", "%7B", "}", "%7D").Replace(next)
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return base + "/"
	}
	if base != "" && next != base && !strings.HasPrefix(next, base+"/") {
		return base + next
	}
	return next
}
