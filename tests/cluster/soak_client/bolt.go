package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

const (
	connectTimeout = 2 * time.Second
	answerTimeout  = 10 * time.Second
	database       = "neo4j"
)

// A FAILURE of the server's: the connection can be used again.
type failure struct{ code, message string }

func (f *failure) Error() string { return f.code + ": " + f.message }

// Somebody else leads, or nobody does: another table is needed.
func (f *failure) isRouting() bool {
	return strings.Contains(f.code, ".Cluster.") || strings.HasSuffix(f.code, "ForbiddenOnReadOnlyDatabase") || strings.HasSuffix(f.code, "DatabaseUnavailable")
}

// ---- one connection, Bolt 5.4 ----

type connection struct {
	net.Conn
	r *bufio.Reader
}

func dial(address string) (*connection, error) {
	raw, err := net.DialTimeout("tcp", address, connectTimeout)
	if err != nil {
		return nil, err
	}
	c := &connection{raw, bufio.NewReader(raw)}
	raw.SetDeadline(time.Now().Add(connectTimeout))
	agent := map[string]any{"user_agent": "soak/1.0", "bolt_agent": map[string]any{"product": "soak/1.0"}, "routing": map[string]any{"address": address}}
	var b bytes.Buffer
	b.WriteString("\x60\x60\xb0\x17\x00\x00\x04\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	putMessage(&b, 0x01, agent)
	putMessage(&b, 0x6a, map[string]any{"scheme": "none"})
	if _, err = raw.Write(b.Bytes()); err == nil {
		_, err = io.ReadFull(c.r, make([]byte, 4))
	}
	for i := 0; i < 2 && err == nil; i++ {
		_, err = c.answer(nil)
	}
	if err != nil {
		raw.Close()
		return nil, err
	}
	return c, nil
}

// What SUCCESS says; records go to `rows`.
func (c *connection) answer(rows *[][]any) (map[string]any, error) {
	for {
		m, err := getMessage(c.r)
		if err != nil {
			return nil, err
		}
		switch m.tag {
		case 0x71:
			row, _ := m.fields[0].([]any)
			*rows = append(*rows, row)
			continue
		case 0x70:
			table, _ := m.fields[0].(map[string]any)
			return table, nil
		case 0x7f:
			table, _ := m.fields[0].(map[string]any)
			return nil, &failure{fmt.Sprint(table["code"]), fmt.Sprint(table["message"])}
		}
		return nil, fmt.Errorf("message %#x", m.tag)
	}
}

func (c *connection) call(tag byte, fields ...any) (map[string]any, error) {
	var b bytes.Buffer
	c.SetDeadline(time.Now().Add(answerTimeout))
	putMessage(&b, tag, fields...)
	if _, err := c.Write(b.Bytes()); err != nil {
		return nil, err
	}
	return c.answer(nil)
}

// One statement in a transaction of its own: its rows and its bookmark. After a failure the connection is reset.
func (c *connection) run(text string, parameters, extra map[string]any) ([][]any, string, error) {
	var b bytes.Buffer
	var rows [][]any
	c.SetDeadline(time.Now().Add(answerTimeout))
	putMessage(&b, 0x10, text, parameters, extra)
	putMessage(&b, 0x3f, map[string]any{"n": int64(-1)})
	if _, err := c.Write(b.Bytes()); err != nil {
		return nil, "", err
	}
	_, err := c.answer(&rows)
	if f, ok := err.(*failure); ok {
		if _, broken := getMessage(c.r); broken != nil { // PULL is ignored
			return nil, "", broken
		}
		return nil, "", c.reset(f)
	}
	if err != nil {
		return nil, "", err
	}
	told, err := c.answer(&rows)
	if f, ok := err.(*failure); ok {
		return nil, "", c.reset(f)
	}
	bookmark, _ := told["bookmark"].(string)
	return rows, bookmark, err
}

func (c *connection) reset(f *failure) error {
	if _, err := c.call(0x0f); err != nil {
		return err
	}
	return f
}

// ---- whom to ask, shared by all workers ----

type router struct {
	mutex   sync.Mutex
	seeds   []string
	table   map[string][]string
	expires time.Time
	turn    int
}

func addressesOf(value any) []string {
	list, _ := value.([]any)
	found := []string{}
	for _, of := range list {
		if text, ok := of.(string); ok {
			found = append(found, text)
		}
	}
	return found
}

func ask(address string) (map[string][]string, time.Duration, error) {
	c, err := dial(address)
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	told, err := c.call(0x66, map[string]any{}, []any{}, map[string]any{"db": database})
	if err != nil {
		return nil, 0, err
	}
	rt, _ := told["rt"].(map[string]any)
	ttl, _ := rt["ttl"].(int64)
	servers, _ := rt["servers"].([]any)
	table := map[string][]string{}
	for _, of := range servers {
		entry, _ := of.(map[string]any)
		role, _ := entry["role"].(string)
		table[role] = addressesOf(entry["addresses"])
	}
	return table, time.Duration(ttl) * time.Second, nil
}

// One that is to WRITE or to READ.
func (r *router) choose(role string) (string, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for i := 0; i < len(r.seeds) && (time.Now().After(r.expires) || len(r.table[role]) == 0); i++ {
		r.turn++
		if table, ttl, err := ask(r.seeds[r.turn%len(r.seeds)]); err == nil {
			r.table, r.expires = table, time.Now().Add(ttl)
		}
	}
	among := r.table[role]
	if len(among) == 0 {
		return "", fmt.Errorf("nobody is there to %s", role)
	}
	r.turn++
	return among[r.turn%len(among)], nil
}

// It does not answer, or is not what the table says: it is not asked again before the next table.
func (r *router) forget(address string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for role, among := range r.table {
		kept := []string{}
		for _, of := range among {
			if of != address {
				kept = append(kept, of)
			}
		}
		r.table[role] = kept
	}
}
