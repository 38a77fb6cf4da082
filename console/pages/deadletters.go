package pages

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/pabal-dev/pabal/console/api"
)

type fingerprintsBody struct {
	Query        api.FingerprintQuery
	Fingerprints part[api.Page[api.Fingerprint]]
	Redrives     part[api.Page[api.Redrive]]
}

func (h *handler) fingerprints(ctx context.Context, r *http.Request) (content, error) {
	b := fingerprintsBody{Query: api.FingerprintQuery{PageQuery: pageQuery(r), Closed: param(r, "closed") == "true"}}
	c := content{template: "fingerprints", title: "Dead letters", section: "dead-letters"}
	var err error
	gather(
		func() {
			var page api.Page[api.Fingerprint]
			page, err = h.Engines.DeadLetters.Fingerprints(ctx, b.Query)
			b.Fingerprints = ask(page, err)
		},
		func() { b.Redrives = ask(h.Engines.DeadLetters.Redrives(ctx, api.PageQuery{Limit: 10})) },
	)
	c.body = b
	return c, onlyFatal(err)
}

// lettersBody is a fingerprint's letters, and Kind its figures for the page's head;
// nil where they are not known.
type lettersBody struct {
	ID      string
	Query   api.LetterQuery
	Letters part[api.Page[api.DeadLetter]]
	Kind    *api.Fingerprint
}

func (h *handler) letters(ctx context.Context, r *http.Request) (content, error) {
	id := r.PathValue("fingerprint")
	b := lettersBody{ID: id, Query: api.LetterQuery{PageQuery: pageQuery(r), Fingerprint: id, State: param(r, "state")}}
	c := content{template: "letters", title: "Dead letters: " + id, section: "dead-letters"}
	if id == "all" { // every fingerprint's
		b.Query.Fingerprint, c.title = "", "All dead letters"
	}
	var err error
	gather(
		func() {
			var page api.Page[api.DeadLetter]
			page, err = h.Engines.DeadLetters.Letters(ctx, b.Query)
			b.Letters = ask(page, err)
		},
		func() { b.Kind = h.kind(ctx, b.Query.Fingerprint) },
	)
	c.body = b
	return c, onlyFatal(err)
}

// kind finds a fingerprint's figures; without them the page does too.
func (h *handler) kind(ctx context.Context, id string) *api.Fingerprint {
	if id == "" {
		return nil
	}
	page, err := h.Engines.DeadLetters.Fingerprints(ctx, api.FingerprintQuery{PageQuery: api.PageQuery{Limit: 500}, Closed: true})
	i := slices.IndexFunc(page.Items, func(f api.Fingerprint) bool { return f.ID == id })
	if err != nil || i < 0 {
		return nil
	}
	return &page.Items[i]
}

type letterBody struct {
	Letter api.DeadLetter
	// Payload is what can be edited; Editable is false for binary or cut values, and those with a schema.
	Payload  string
	Editable bool
}

func (h *handler) letter(ctx context.Context, r *http.Request) (content, error) {
	c := content{template: "letter", title: "Dead letter", section: "dead-letters"}
	for _, name := range []string{"partition", "offset"} {
		if n, err := strconv.ParseInt(r.PathValue(name), 10, 64); err != nil || n < 0 {
			return c, errorf(api.ErrInvalid, "%s %q is no number", name, r.PathValue(name))
		}
	}
	id := r.PathValue("topic") + "/" + r.PathValue("partition") + "/" + r.PathValue("offset")
	letter, err := h.Engines.DeadLetters.Letter(ctx, id)
	if err != nil {
		return c, err
	}
	b := letterBody{Letter: letter}
	if m := letter.Message; m != nil {
		b.Payload = m.Value.Text
		b.Editable = (m.Value.Format == "json" || m.Value.Format == "text") && !m.Value.Cut && len(m.Masked) == 0 && m.Value.Schema == nil
	}
	c.title, c.body = "Dead letter "+id, b
	return c, nil
}

type redriveBody struct {
	Redrive api.Redrive
	Running bool
	// Unsettled says that it runs or that some letters' outcome is not known yet.
	Unsettled bool
	// Done counts letters that were sent or skipped.
	Done int64
}

func (h *handler) redrive(ctx context.Context, r *http.Request) (content, error) {
	c := content{template: "redrive", title: "Redrive", section: "dead-letters"}
	redrive, err := h.Engines.DeadLetters.RedriveByID(ctx, r.PathValue("id"))
	if err != nil {
		return c, err
	}
	c.title = "Redrive " + redrive.ID
	running := redrive.State == "running"
	c.body = redriveBody{
		Redrive: redrive, Running: running, Done: redrive.Sent + redrive.Skipped,
		Unsettled: running || redrive.Handled+redrive.Renewed < redrive.Sent,
	}
	return c, nil
}
