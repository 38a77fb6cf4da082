package pages

import (
	"context"
	"net/http"

	"github.com/pabal-dev/pabal/console/api"
)

type auditBody struct {
	Query   api.PageQuery
	Entries part[api.Page[api.AuditEntry]]
}

func (h *handler) audit(ctx context.Context, r *http.Request) (content, error) {
	q := pageQuery(r)
	page, err := h.Engines.Audit.Entries(ctx, q)
	return content{template: "audit", title: "Audit log", section: "audit", body: auditBody{q, ask(page, err)}}, onlyFatal(err)
}

// loginBody is the form; Failed is "login" or "busy" where it was
// sent without JavaScript and refused.
type loginBody struct{ Next, Failed string }

func (h *handler) login(_ context.Context, r *http.Request) (content, error) {
	return content{template: "login", title: "Log in", section: "login", body: loginBody{localPath(h.Base, param(r, "next")), param(r, "failed")}}, nil
}

func (h *handler) help(context.Context, *http.Request) (content, error) {
	return content{template: "help", title: "Help", section: "help", body: nil}, nil
}
