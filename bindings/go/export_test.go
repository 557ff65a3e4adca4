package palitra

// What tests may see of the inside.

// Waiting counts the jobs whose events the dispatcher expects: a job that was forgotten would stay here.
func (r *Runner) Waiting() int {
	r.core.mu.Lock()
	defer r.core.mu.Unlock()
	return len(r.core.waiting)
}
