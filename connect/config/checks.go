package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// AtLeast checks numbers.
func AtLeast(least int64) func(any) error {
	return func(v any) error {
		if n, ok := v.(int64); ok && n < least {
			return fmt.Errorf("Value must be at least %d", least) //nolint:staticcheck // Kafka's own words
		}
		return nil
	}
}

// OneOf checks text, whatever its case.
func OneOf(all ...string) func(any) error {
	return func(v any) error {
		text, ok := v.(string)
		if !ok || slices.ContainsFunc(all, func(one string) bool { return strings.EqualFold(one, text) }) {
			return nil
		}
		return fmt.Errorf("Value must be one of %s", strings.Join(all, ", ")) //nolint:staticcheck // Debezium's own words
	}
}

// NotEmpty checks text and lists.
func NotEmpty(v any) error {
	switch v := v.(type) {
	case string:
		if v != "" {
			return nil
		}
	case []string:
		if len(v) > 0 {
			return nil
		}
	}
	return fmt.Errorf("it must not be empty")
}

// Patterns checks a list of regular expressions.
func Patterns(v any) error {
	list, _ := v.([]string)
	for _, text := range list {
		if _, err := regexp.Compile(text); err != nil {
			return fmt.Errorf("%q is no regular expression: %w", text, err)
		}
	}
	return nil
}
