"""The ball obeys the box."""

import numpy as np

from naomi_jax.data import billiards


def test_it_stays_inside_and_keeps_its_speed_between_contacts():
    x = billiards.simulate(300, 200, 0).astype(np.float64)
    assert np.abs(x).max() <= billiards.WALL + 1e-6
    assert np.abs(x).max() > billiards.WALL - 1e-3, "it touches the walls"
    step = np.diff(x, axis=1)
    speed = np.abs(step).max(axis=1, keepdims=True)
    reflected = np.abs(np.abs(step) - speed) > 1e-5
    # Steps that fall short of the speed are those with a contact inside them, next to a wall.
    near = billiards.WALL - np.maximum(np.abs(x[:, 1:]), np.abs(x[:, :-1]))
    assert (near[reflected] <= speed.repeat(199, 1)[reflected] + 1e-6).all()
    assert 0.01 < reflected.mean() < 0.2


def test_the_velocity_turns_exactly_at_the_wall():
    """Against a ball moved in 1000 small steps between two frames."""
    x = billiards.simulate(20, 50, 3).astype(np.float64)
    free = np.abs(x[:, :2]).max(axis=(1, 2)) < billiards.WALL - 0.15
    position, velocity = x[free, 0], x[free, 1] - x[free, 0]
    for t in range(1, 50):
        for _ in range(1000):
            position = position + velocity / 1000
            over = np.abs(position) > billiards.WALL
            position = np.where(over, np.sign(position) * 2 * billiards.WALL - position, position)
            velocity = np.where(over, -velocity, velocity)
        np.testing.assert_allclose(position, x[free, t], atol=2e-4)


def test_splits_are_independent_and_repeatable():
    one, other = billiards.load(5, 4, 3, 30), billiards.load(5, 4, 3, 30)
    assert one.simulated and "simulated" in one.source
    assert (
        one.train.shape == (5, 30, 2)
        and one.val.shape == (4, 30, 2)
        and one.test.shape == (3, 30, 2)
    )
    np.testing.assert_array_equal(one.train, other.train)
    assert not np.isclose(one.train[:3], one.test).any(axis=(1, 2)).all()
    assert not (billiards.load(5, 4, 3, 30, seed=1).train == one.train).all()


def test_symmetries_are_the_images_of_a_square():
    x = np.random.default_rng(0).standard_normal((3, 5, 2)).astype(np.float32)
    images = billiards.symmetries(x).reshape(8, 3, 5, 2)
    np.testing.assert_array_equal(images[0], x)
    # Lengths and angles are kept, and no two images are the same map.
    for image in images:
        np.testing.assert_allclose(np.square(image).sum(-1), np.square(x).sum(-1), rtol=1e-6)
    assert len({image.tobytes() for image in images}) == 8
    again = billiards.symmetries(images.reshape(24, 5, 2)).reshape(64, 3, 5, 2)
    assert {image.tobytes() for image in again} == {image.tobytes() for image in images}, "a group"
