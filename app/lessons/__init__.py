"""Lessons as data: folders with a `lesson.yaml` and one text a language, resolved against a run.

`schema.py` says what a lesson may hold, `library.py` reads folders, `expression.py` and `scope.py` are the small
language in which a lesson names numbers, `resolve.py` puts a step and a run together.

    library = Library([LESSONS])
    lesson = library.lesson("first-steps")
    resolve(lesson, lesson.steps[0], run, "en")  # the step's text, with every live number in it
"""
