package main

import (
	"regexp"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/kafka/registry/client"
)

// TestUpWithRegistry: what services register is there after a restart on the same data folder.
func TestUpWithRegistry(t *testing.T) {
	data := t.TempDir()
	for range 2 {
		r := startUp(t, "--registry=127.0.0.1:0", "--data-dir="+data)
		found := regexp.MustCompile(`(?m)^  registry +(http://\S+)$`).FindStringSubmatch(r.banner)
		if found == nil {
			t.Fatalf("the banner does not name it:\n%s", r.banner)
		}
		c, err := client.New(client.Config{URLs: []string{found[1]}})
		if err != nil {
			t.Fatal(err)
		}
		for want, text := range []string{`"int"`, `"string"`} {
			if id, err := c.Register(t.Context(), []string{"a", "b"}[want], client.Schema{Text: text}); err != nil || id != want+1 {
				t.Errorf("%s has the id %d: %v", text, id, err)
			}
		}
		shown, err := api.NewClient(api.ClientConfig{URL: r.server})
		if err != nil {
			t.Fatal(err)
		}
		if page, err := shown.Subjects(t.Context(), api.SubjectQuery{}); err != nil || len(page.Items) != 2 || page.Items[1].Problem != "" {
			t.Errorf("the console shows %+v, %v", page, err)
		}
		shown.Close()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		r.end(t)
	}
	refused(t, "it is no URL such as http://registry.internal:8081", "up", "--registry-url=registry:8081")
	refused(t, "user and password (registry.password-file) belong together", "up", "--registry-url=http://registry:8081", "--registry-user=ann")
	refused(t, "others can reach 0.0.0.0:0, so they need a token or a password", "up", "--registry=0.0.0.0:0")
}
