package connect

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
)

// reference is ${env:NAME}, ${file:PATH:KEY} or ${dir:PATH:FILE}, as Kafka's configuration
// providers have them.
var reference = regexp.MustCompile(`\$\{(env|file|dir|directory):([^}]*?)(?::([^}:]*))?\}`)

// resolve replaces references to secrets by what they refer to. What it returns is never shown.
func resolve(props map[string]string) (map[string]string, error) {
	out := make(map[string]string, len(props))
	var problems []error
	for key, text := range props {
		value, err := resolveText(text)
		if err != nil {
			problems = append(problems, config.Problem{Key: key, Message: key + ": " + err.Error()})
		}
		out[key] = value
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("%w: %w", config.ErrConfig, errors.Join(problems...))
	}
	return out, nil
}

func resolveText(text string) (string, error) {
	if !strings.Contains(text, "${") {
		return text, nil
	}
	var failed error
	out := reference.ReplaceAllStringFunc(text, func(found string) string {
		m := reference.FindStringSubmatch(found)
		value, err := secret(m[1], m[2], m[3])
		if err != nil && failed == nil {
			failed = fmt.Errorf("%s: %w", found, err)
		}
		return value
	})
	return out, failed
}

func secret(provider, path, key string) (string, error) {
	switch provider {
	case "env":
		value, ok := os.LookupEnv(path)
		if !ok {
			return "", errors.New("the worker has no such environment variable")
		}
		return value, nil
	case "file":
		return property(path, key)
	}
	b, err := os.ReadFile(filepath.Join(path, filepath.Base(key)))
	return strings.TrimRight(string(b), "\r\n"), err
}

// property is a line key=value of a file.
func property(path, key string) (string, error) {
	if key == "" {
		return "", errors.New("it is written ${file:PATH:KEY}")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), "=")
		if ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value), nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", err
	}
	return "", fmt.Errorf("the file has no line %s=…", key)
}

// hidden is a text with the references in the place of what they refer to.
func hidden(text string, given map[string]string) string {
	for _, value := range given {
		if !strings.Contains(value, "${") {
			continue
		}
		for _, found := range reference.FindAllString(value, -1) {
			if secret, err := resolveText(found); err == nil && len(secret) >= shortestSecret {
				text = strings.ReplaceAll(text, secret, found)
			}
		}
	}
	return text
}

// shortestSecret that is looked for: shorter ones are in every text.
const shortestSecret = 4

// hide an error's secrets.
func hide(err error, given map[string]string) error {
	if err == nil {
		return nil
	}
	if text := hidden(err.Error(), given); text != err.Error() {
		return hiddenError{text, err}
	}
	return err
}

type hiddenError struct {
	text string
	error
}

func (e hiddenError) Error() string { return e.text }

func (e hiddenError) Unwrap() error { return e.error }

const mask = "********"

// password in a URL such as mongodb://user:secret@host.
var password = regexp.MustCompile(`(://[^/@:\s]*:)(\S*)(@)|([?&](?i:password|pwd)=)([^&\s]+)()`)

// masked is how a setting is shown.
func masked(d config.Definition, key, value string) string {
	if value == "" || reference.FindString(value) == value {
		return value
	}
	if k, ok := d.Key(key); ok && k.Type == config.Password || !ok && looksSecret(key) {
		return mask
	}
	return password.ReplaceAllString(value, "${1}${4}"+mask+"$3")
}

// looksSecret is about keys that no definition lists.
func looksSecret(key string) bool {
	key = strings.ToLower(key)
	for _, word := range []string{"password", "secret", "sasl.jaas.config", "token", "credential", "private.key"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}

// maskedAll is a configuration as it is shown.
func maskedAll(d config.Definition, props map[string]string) map[string]string {
	out := make(map[string]string, len(props))
	for key, value := range props {
		out[key] = masked(d, key, value)
	}
	return out
}

// stillMasked finds a setting that was changed where it is masked.
func stillMasked(props map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(props)) {
		if strings.Contains(props[key], mask) {
			return problem{ErrInvalid, fmt.Sprintf("the secret in %s is masked (%s): write it, or a reference such as ${env:NAME}", key, mask)}
		}
	}
	return nil
}

// unmask lets a configuration that was read from here be written back: what is masked as the
// stored value is, is that value.
func unmask(d config.Definition, given, stored map[string]string) map[string]string {
	out := maps.Clone(given)
	for key, value := range given {
		if old, ok := stored[key]; ok && value == masked(d, key, old) {
			out[key] = old
		}
	}
	return out
}
