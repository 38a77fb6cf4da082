package service

import (
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"
	"github.com/pabal-dev/pabal/cloudconfig"
)

// explainConfig writes every setting, its value and where that is from. Secrets are only
// said to be set.
func explainConfig(parsed *kong.Context, c *cloud, stdout io.Writer) error {
	given := map[string]bool{}
	for _, path := range parsed.Path {
		if path.Flag != nil && !path.Resolved {
			given[path.Flag.Name] = true
		}
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SETTING\tVALUE\tFROM")
	for _, flag := range parsed.Flags() {
		if flag.Name == "help" || flag.Name == "explain-config" || flag.Hidden {
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", flag.Name, shown(flag), origin(flag, given[flag.Name], c))
	}
	return w.Flush()
}

func origin(flag *kong.Flag, given bool, c *cloud) string {
	if given {
		return "--" + flag.Name
	}
	if name, ok := variable(flag); ok {
		return name
	}
	if c != nil && !strings.HasPrefix(flag.Name, "config-") {
		if text, from, err := c.lookup(flag); err == nil && text != "" {
			return from
		}
	}
	return "default"
}

// shown is a flag's value for people.
func shown(flag *kong.Flag) string {
	text := flag.Target.Interface()
	switch value := text.(type) {
	case []string:
		if flag.Name == "registry" {
			value = slices.Clone(value)
			for i, one := range value {
				value[i] = redacted(one)
			}
		}
		return strings.Join(value, ",")
	case string:
		switch {
		case value == "":
			return ""
		case flag.Tag.Has("secret"):
			return "(set)"
		case flag.Name == "config-server":
			return cloudconfig.Redact(value)
		case flag.Name == "database":
			return redacted(value)
		}
	}
	return fmt.Sprint(text)
}

// redacted is a connection string without its password.
func redacted(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(set)"
	}
	q := u.Query()
	if q.Has("password") {
		q.Set("password", "xxxxx")
		u.RawQuery = q.Encode()
	}
	return u.Redacted()
}
