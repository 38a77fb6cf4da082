package simulation

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/internal/systemtest"
)

// Client makes the requests of a script.
type Client struct{ run *run }

// Call asks a service, again where that crashes before it answers. Other things may
// happen afterwards.
func (c *Client) Call(method, service, path, body string, headers ...string) systemtest.Answer {
	a := c.ask(method, service, path, body, headers)
	if made := a.Header.Get("Location"); made != "" {
		c.run.made = append(c.run.made, resource{service, made})
	}
	c.run.between()
	return a
}

// Must is Call, and ends the run where the answer is not of that status.
func (c *Client) Must(status int, method, service, path, body string, headers ...string) systemtest.Answer {
	a := c.Call(method, service, path, body, headers...)
	if a.Status != status {
		c.run.fail(fmt.Errorf("%s %s of %s: %s, want %d", method, path, service, a, status))
	}
	return a
}

// Settle handles all messages, whatever the plan's pace: for a script that needs what
// they do to go on.
func (c *Client) Settle() { c.run.settle() }

// Pass lets time pass; timers that become due fire.
func (c *Client) Pass(d time.Duration) {
	end := c.run.clock.Add(d)
	for range maxDeliveries {
		due := c.run.nextDue()
		if due.IsZero() || due.After(end) {
			break
		}
		c.run.fire(due)
		c.run.between()
	}
	if c.run.clock.Before(end) {
		c.run.clock = end
	}
}

func (c *Client) ask(method, service, path, body string, headers []string) (a systemtest.Answer) {
	for _, n := range c.run.nodes {
		if n.def.Name != service {
			continue
		}
		for crashed := true; crashed; {
			c.run.note("%s %s %s %s", method, service, path, body)
			var err error
			crashed, err = n.attempt(func(ctx context.Context) (err error) {
				request := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
				for i := 0; i < len(headers); i += 2 {
					request.Header.Set(headers[i], headers[i+1])
				}
				recorder := httptest.NewRecorder()
				n.router.ServeHTTP(recorder, request)
				a, err = systemtest.Read(recorder.Result())
				return err
			})
			c.run.fail(err)
		}
		c.run.note("  answered with %s", a)
		return a
	}
	c.run.fail(fmt.Errorf("there is no service %q", service))
	return a
}
