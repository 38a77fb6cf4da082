package console

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// recordTime bounds the writing of an audit entry.
const recordTime = 5 * time.Second

// recorded does an act with an audit entry before it, without which it is refused,
// and one with its outcome after it.
func (c *Console) recorded(ctx context.Context, name, target, detail string, do func() error) error {
	user := api.UserOf(ctx)
	entry := api.AuditEntry{
		At: c.now(), User: user.Name, Role: user.Role, From: user.From,
		Act: name, Target: target, Detail: detail, Outcome: "begun",
	}
	if err := c.record(ctx, entry); err != nil {
		return fmt.Errorf("%w: nothing was done, because the audit log cannot be written: %w", api.ErrUnavailable, err)
	}
	err := do()
	entry.At, entry.Outcome = c.now(), "done"
	if err != nil {
		entry.Outcome = err.Error()
	}
	if failed := c.record(ctx, entry); failed != nil {
		c.logger.Error("audit log: the outcome of an act is not in it", "act", name, "target", target, "user", user.Name, "outcome", entry.Outcome, "error", failed)
	}
	return err
}

func (c *Console) record(ctx context.Context, e api.AuditEntry) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	return c.engines.Audit.Record(ctx, e)
}

// payloads are fields that the audit log does not have the content of.
var payloads = []string{"value", "valueBase64", "headers", "password"}

// maxDetail bounds an entry's detail, in bytes.
const maxDetail = 4096

// detail is a request as JSON without payloads.
func detail(body any) string {
	if b, ok := body.(interface{ Audited() any }); ok {
		body = b.Audited()
	}
	data, err := json.Marshal(body)
	if err != nil {
		return ""
	}
	fields := map[string]json.RawMessage{}
	if json.Unmarshal(data, &fields) != nil {
		return ""
	}
	for _, name := range payloads {
		if content, ok := fields[name]; ok {
			fields[name] = json.RawMessage(fmt.Sprintf(`"(%d bytes)"`, len(content)))
		}
	}
	data, err = json.Marshal(fields)
	if err != nil || len(data) > maxDetail {
		return fmt.Sprintf("(%d bytes)", len(data))
	}
	return string(data)
}
