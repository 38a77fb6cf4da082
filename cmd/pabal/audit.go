package main

import (
	"context"
	"io"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
)

type auditCommand struct {
	listing
	asking
}

// Run is called by kong.
func (c *auditCommand) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		if err := c.check(); err != nil {
			return err
		}
		page, err := collect(c.listing, func(q api.PageQuery) (api.Page[api.AuditEntry], error) { return client.Entries(ctx, q) })
		if err != nil {
			return err
		}
		defer c.more(s, page.Next)
		return c.show(s, page, func(w io.Writer) {
			var rows [][]string
			for _, e := range page.Items {
				rows = append(rows, []string{text.Time(e.At), e.User, string(e.Role), e.From, e.Act, e.Target, e.Outcome, text.Cut(e.Detail, 80)})
			}
			text.Table(w, []string{"AT", "USER", "ROLE", "FROM", "ACT", "TARGET", "OUTCOME", "DETAIL"}, rows)
		})
	})
}
