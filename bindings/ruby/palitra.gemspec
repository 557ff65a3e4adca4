# frozen_string_literal: true

require_relative "lib/palitra/version"

Gem::Specification.new do |gem|
  gem.name = "palitra"
  gem.version = Palitra::VERSION
  gem.summary = "Async jobs of a Rust library, called from Ruby: one runner thread, blocks, enumerators and fibers"
  gem.authors = ["The palitra authors"]
  gem.license = "BSD-3-Clause"
  gem.files = Dir["lib/**/*.rb", "lib/palitra/libpalitra.so", "README.md", "LICENSE", "THIRD-PARTY.txt", base: __dir__]
  # With the library in it, the gem is one for this platform.
  gem.platform = Gem::Platform.local if gem.files.include?("lib/palitra/libpalitra.so")
  gem.required_ruby_version = ">= 3.1"
  gem.add_dependency "ffi", "~> 1.15"
  gem.metadata = { "rubygems_mfa_required" => "true" }
end
