package pages_test

import (
	"testing"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/pages"
)

// TestSubjectsPage: what is there, and what is in force.
func TestSubjectsPage(t *testing.T) {
	_, body := newSite(fake{}, "", false, 0).page(t, "/schemas?deleted=true", api.Viewer, 200)
	says(t, body, "shop.orders-value", "old-value", "deleted</span>", "its own</span>", "FULL", "it is slow", "2 subjects in all")
}

// TestSubjectPage: a tab for each question.
func TestSubjectPage(t *testing.T) {
	s := newSite(fake{}, "", false, 0)
	_, body := s.page(t, "/schemas/shop.orders-value", api.Admin, 200)
	says(t, body, "Version 2", "com.example.Line", "lines-value, version 1", "id 9", "3 older versions", "Delete for ever", "all others: BACKWARD", "mode READWRITE", "the registry is away")
	_, body = s.page(t, "/schemas/shop.orders-value?tab=diff", api.Viewer, 200)
	says(t, body, "note", "null or string, default null", "gone-line", "new-line", "9 lines are the same", "There are more", "The texts are long")
	_, body = s.page(t, "/schemas/shop.orders-value?tab=use", api.Viewer, 200)
	says(t, body, "19 of 20 records", "shop.payment", "id 5", "no group", "1 topic were not", "groups: away")
	_, body = s.page(t, "/schemas/shop.orders-value?tab=check", api.Viewer, 200)
	says(t, body, "Nothing is registered", "com.example.Line", "version 1 alone")
	_, body = s.page(t, "/schemas/shop.orders-value?tab=settings", api.Viewer, 200)
	says(t, body, "(BACKWARD)", "This needs the role admin")
	for _, bad := range []string{"?version=0", "?version=x", "?version=99999999999", "?tab=diff&from=-1", "?tab=diff&to=y"} {
		s.page(t, "/schemas/shop.orders-value"+bad, api.Viewer, 400)
	}
}

// TestSchemasOff: the pages say how to get a registry.
func TestSchemasOff(t *testing.T) {
	engines := fake{}.engines()
	engines.Schemas = nil
	s := site{pages.New(pages.Config{Engines: engines}), "", true}
	_, body := s.page(t, "/schemas", api.Admin, 200)
	says(t, body, "no schema registry here", "--registry=127.0.0.1:8081", "--registry-url")
	_, body = s.page(t, "/schemas/x", api.Admin, 404)
	says(t, body, "--registry-url")
}

// TestMessagesHaveTheirSchema: what decoded a value, or why nothing did.
func TestMessagesHaveTheirSchema(t *testing.T) {
	_, body := newSite(fake{}, "", false, 0).page(t, "/topics/shop.orders", api.Viewer, 200)
	says(t, body, `href="/schemas/shop.orders-value?version=2"`, "shop.orders-value, version 2", "no schema with the id 99")
}
